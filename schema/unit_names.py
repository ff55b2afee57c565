"""This file is the full names of units that pint knows and that we may convert: what ends in none of them need not be asked of pint.

Reading pint's definitions takes longer than converting a thousand records, and most words in the place of a unit are none (ring, blank).
Data of pint 0.25, joined without underscores; a test holds the list against the pint that is installed.
"""

from __future__ import annotations

_NAMES = """
    abampere abcoulomb aberdeen abfarad abhenry abohm absiemens abvolt acre acrefoot ampere amperehour ampereturn
    angstrom angstromstar apothecarydram apothecaryounce apothecarypound arcminute arcsecond are astronomicalunit
    atmosphereliter atomicmassconstant atomicunitofcurrent atomicunitofelectricfield
    atomicunitofelectricfieldgradient atomicunitofforce atomicunitofintensity atomicunitoftemperature
    atomicunitoftime avogadroconstant avogadronumber bag bar barn barrel barye beerbarrel biot biotturn boardfoot
    bohr bohrmagneton boilerhorsepower boltzmannconstant britishthermalunit buckingham bushel cableslength calorie
    candela carat centimeter centipoise century chain cicero circularmil classicalelectronradius clausius commonyear
    conductancequantum conventionaljosephsonconstant conventionalmercurydensity conventionalvonklitzingconstant
    conventionalwaterdensity coolingtowerton coulomb coulombconstant csspixel cubiccentimeter cubicfoot cubicinch
    cubicyard cup dalton darcy day debye decimeter decitex degree denier didot diracconstant dram drybarrel
    drygallon drypint dryquart dtex dyne electricalhorsepower electrongfactor electronmass electronvolt
    elementarycharge entropyunit enzymeunit eon erg eulersnumber farad faraday faradayconstant fathom femtometer
    fermi fifteendegreecalorie fifth finestructureconstant firstradiationconstant fluiddram fluidounce foot
    footpersecond footpound forcegram forcekilogram forcelongton forcemetricton forceounce forcepound forceton
    fortnight furlong galileo gallon gamma gammamass gilbert gill grade grain gram gray gregorianyear hand hartree
    hectare henry hertz hogshead horsepower hour hundredweight impedanceoffreespace imperialbarrel imperialbushel
    imperialcup imperialfluiddrachm imperialfluidounce imperialfluidscruple imperialgallon imperialgill
    imperialminim imperialpeck imperialpint imperialquart inch internationalbritishthermalunit internationalcalorie
    josephsonconstant joule jute katal kelvin kilogram kilometer kilometerperhour kilometerpersecond kip
    kippersquareinch knot lambda lambert langley league leapyear lightyear link liter longhundredweight longton
    lumen lux magneticfluxquantum meaninternationalampere meaninternationalohm meaninternationalvolt meter
    meterpersecond meterpersecondsquared metrichorsepower metricton microgram microliter micrometer micromole micron
    mil mile mileperhour millennium milliarcsecond milligram minim minute molar molargasconstant mole month
    nauticalmile neutronmass newton newtonianconstantofgravitation nit nuclearmagneton numberenglish numbermeter ohm
    oilbarrel ounce parsec particle pascal peaksunhour peck pennyweight percent permille pi pica pint planckconstant
    planckcurrent plancklength planckmass plancktemperature plancktime point poise pound poundal
    poundforcepersquareinch ppm protonmass quart quarter radian rads reciprocalcentimeter refrigerationton rem
    revolutionsperminute revolutionspersecond reyn rhe rod roentgen rydberg rydbergconstant scaledpoint scruple
    second secondradiationconstant shake shot siderealday siderealmonth siderealyear siemens sievert slinch slug
    soundpressurelevel speedoflight squaredegree squarefoot squareinch squareleague squaremile squarerod
    squaresurveymile squareyard standardatmosphere standardgravity standardliterperminute statfarad stathenry
    statmho statohm stefanboltzmannconstant steradian stere stilb stokes stone strain surveyfoot surveymile svedberg
    sverdrup synodicmonth tablespoon tansec teaspoon technicalatmosphere tesla tex texcicero texdidot texpica
    texpoint therm thermochemicalbritishthermalunit thomsoncrosssection thou ton tonneofoilequivalent torr townsend
    tropicalmonth tropicalyear troyounce troypound turn unifiedatomicmassunit unitpole vacuumpermeability
    vacuumpermittivity volt voltampere vonklitzingconstant watt watthour weber week
    wienfrequencydisplacementlawconstant wienu wienwavelengthdisplacementlawconstant wienx yard year zeta
"""
FULL_NAMES = frozenset(_NAMES.split())
_ENDINGS = ("", "s", "es")


def may_be_known(word: str) -> bool:
    """Whether a word, or what its plural is of, ends in such a name (before it a prefix may stand)."""
    singles = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    return any(single[at:] in FULL_NAMES for single in singles for at in range(len(single)))
