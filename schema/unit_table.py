"""This file is our own table of units: symbols, names, spellings that facilities really use, and words that mean no unit.

Factors are exact, as text for ``fractions.Fraction`` (SI Brochure, 9th edition, 2019; CODATA 2022 for the dalton, bohr
and hartree). Things that are counted (photons, pixels, pulses, …) are dimensions of their own, and so is the plane angle:
so that photons per second are never compared with hertz, nor degrees with percent.
"""

import math

# base unit -> its dimension
BASES: dict[str, str] = {
    "kg": "[mass]", "m": "[length]", "s": "[time]", "A": "[current]", "K": "[temperature]", "mol": "[substance]",
    "cd": "[luminosity]", "rad": "[angle]", "byte": "[information]", "photon": "[photon]", "electron": "[electron]",
    "neutron": "[neutron]", "ion": "[ion]", "count": "[count]", "pixel": "[pixel]", "pulse": "[pulse]",
    "frame": "[frame]",
    "point": "[point]", "step": "[step]", "channel": "[channel]", "pH": "[acidity]",
    "kg/kg": "[mass fraction]", "mol/mol": "[amount fraction]", "m³/m³": "[volume fraction]", "decay": "[decay]",
}  # fmt: skip

# what a combination of bases is called, where the symbol means only that (not C, S, F, H: see AMBIGUOUS)
NAMED: dict[str, str] = {
    "kg m2 s-2": "J", "kg m s-2": "N", "kg m-1 s-2": "Pa", "kg m2 s-3": "W", "kg m2 s-3 A-1": "V",
    "kg m2 s-3 A-2": "Ω", "kg s-2 A-1": "T", "kg m2 s-2 A-1": "Wb", "s-1": "Hz", "m2 s-2": "J/kg",
    "kg m s-3 A-1": "V/m", "A m-1": "A/m", "decay s-1": "Bq",
    "kg s-3": "W/m²",
    "kg m-1 s-1": "Pa·s",
}  # fmt: skip

_ALL = "EPTGMkmμunpfaz"
_SMALL = "kmμunpfa"
_BIG = "EPTGMk"
_PI = str(math.pi)

# symbol -> (factor, bases, prefixes it takes)
SYMBOLS: dict[str, tuple[str, str, str]] = {
    "m": ("1", "m", "kcd" + _SMALL[1:]), "g": ("1/1000", "kg", "kmμunp"), "s": ("1", "s", _SMALL[1:] + "z"),
    "A": ("1", "A", "kMmμunpf"), "K": ("1", "K", "kmμun"), "mol": ("1", "mol", "kmμunp"), "cd": ("1", "cd", "mk"),
    "rad": ("1", "rad", "mμunk"), "sr": ("1", "rad2", "mμu"), "Hz": ("1", "s-1", "EPTGMkmμun"), "N": ("1", "kg m s-2",
    "MkmμunpG"),
    "Pa": ("1", "kg m-1 s-2", "hTGMkmμunp"), "J": ("1", "kg m2 s-2", _ALL), "W": ("1", "kg m2 s-3", _ALL),
    "C": ("1", "A s", "mμunpf"), "V": ("1", "kg m2 s-3 A-1", "TGMkmμunp"), "Ω": ("1", "kg m2 s-3 A-2", "TGMkmμun"),
    "S": ("1", "kg-1 m-2 s3 A2", "mμunk"), "F": ("1", "kg-1 m-2 s4 A2", "mμunpf"), "T": ("1", "kg s-2 A-1", "kmμunp"),
    "Wb": ("1", "kg m2 s-2 A-1", "mμun"), "H": ("1", "kg m2 s-2 A-2", "mμunp"), "lm": ("1", "cd rad2", "k"),
    "lx": ("1", "cd rad2 m-2", "k"), "Bq": ("1", "decay s-1", "TGMkm"), "Gy": ("1", "m2 s-2", "GMkmμun"), "Sv": ("1",
    "m2 s-2", "mμun"),
    "kat": ("1", "mol s-1", "mμun"), "L": ("1/1000", "m3", "hcdmμunpf"), "l": ("1/1000", "m3", "hcdmμunpf"),
    "bar": ("100000", "kg m-1 s-2", "GMkmμun"),
    "atm": ("101325", "kg m-1 s-2", ""), "Torr": ("101325/760", "kg m-1 s-2", "mμu"), "mmHg": ("133.322387415",
    "kg m-1 s-2", ""),
    "psi": ("6894.757293168361", "kg m-1 s-2", "k"), "eV": ("1.602176634e-19", "kg m2 s-2", "PTGMkmμunpf"),
    "cal": ("4.184", "kg m2 s-2", "k"), "erg": ("1e-7", "kg m2 s-2", ""), "Wh": ("3600", "kg m2 s-2", "TGMk"),
    "hartree": ("4.3597447222060e-18", "kg m2 s-2", "m"), "bohr": ("5.29177210544e-11", "m", ""),
    "Å": ("1e-10", "m", "mk"), "barn": ("1e-28", "m2", "kmμu"), "inch": ("0.0254", "m", ""), "foot": ("0.3048", "m",
    ""),
    "Da": ("1.66053906892e-27", "kg", "kM"), "t": ("1000", "kg", ""),
    "min": ("60", "s", ""), "h": ("3600", "s", ""), "d": ("86400", "s", ""), "week": ("604800", "s", ""),
    "yr": ("31557600", "s", ""), "°": (f"{_PI}/180", "rad", "mμun"), "arcmin": (f"{_PI}/10800", "rad", ""),
    "arcsec": (f"{_PI}/648000", "rad", "mμu"), "rev": (f"2*{_PI}", "rad", ""), "gon": (f"{_PI}/200", "rad", ""),
    "G": ("1/10000", "kg s-2 A-1", "kmμu"), "Oe": (f"250/{_PI}", "A m-1", "k"), "Ci": ("37000000000", "decay s-1",
    "mμun"), "decay": ("1", "decay", ""),
    "M": ("1000", "mol m-3", "mμunpf"), "P": ("0.1", "kg m-1 s-1", "cm"),
    "byte": ("1", "byte", "PTGMk"), "bit": ("1/8", "byte", "TGMk"), "KiB": ("1024", "byte", ""), "MiB": ("1048576",
    "byte", ""),
    "GiB": ("1073741824", "byte", ""), "TiB": ("1099511627776", "byte", ""),
    "photon": ("1", "photon", "TGMk"), "electron": ("1", "electron", "k"), "neutron": ("1", "neutron", "k"),
    "ion": ("1", "ion", ""),
    "count": ("1", "count", "GMk"), "pixel": ("1", "pixel", "Mk"), "pulse": ("1", "pulse", ""), "frame": ("1",
    "frame", "k"),
    "point": ("1", "point", ""), "step": ("1", "step", ""), "channel": ("1", "channel", ""),
    "pH": ("1", "pH", ""), "%": ("0.01", "", ""), "‰": ("0.001", "", ""), "ppm": ("0.000001", "", ""),
    "ppb": ("0.000000001", "", ""),
    "one": ("1", "", ""), "massfraction": ("1", "kg/kg", ""), "amountfraction": ("1", "mol/mol", ""),
    "volumefraction": ("1", "m³/m³", ""),
    "wt%": ("0.01", "kg/kg", ""), "at%": ("0.01", "mol/mol", ""), "vol%": ("0.01", "m³/m³", ""),
}  # fmt: skip

# °C and °F alone are points on a scale: kelvin = (value + offset) * factor; inside a compound they are steps of it.
SCALES: dict[str, tuple[str, str]] = {"°C": ("273.15", "1"), "°F": ("459.67", "5/9")}

PREFIXES: dict[str, int] = {
    "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "d": -1, "c": -2, "m": -3, "μ": -6, "u": -6, "n": -9,
    "p": -12, "f": -15, "a": -18, "z": -21,
}  # fmt: skip
PREFIX_NAMES: dict[str, str] = {
    "exa": "E", "peta": "P", "tera": "T", "giga": "G", "mega": "M", "kilo": "k", "hecto": "h", "deci": "d",
    "centi": "c",
    "milli": "m", "micro": "μ", "nano": "n", "pico": "p", "femto": "f", "atto": "a", "zepto": "z",
}  # fmt: skip

# symbols as they are really written; case matters
SPELLINGS: dict[str, str] = {
    "Kg": "kg", "KG": "kg", "gr": "g", "mgr": "mg", "Sec": "s", "SEC": "s", "sec": "s",
    "secs": "s", "msec": "ms", "usec": "us", "μsec": "us", "nsec": "ns", "psec": "ps", "fsec": "fs", "mins": "min",
    "Min": "min",
    "hr": "h", "hrs": "h", "yrs": "yr", "hz": "Hz", "HZ": "Hz", "khz": "kHz", "KHz": "kHz", "Khz": "kHz",
    "KHZ": "kHz", "Mhz": "MHz",
    "MHZ": "MHz", "ghz": "GHz", "Ghz": "GHz", "GHZ": "GHz", "THZ": "THz", "thz": "THz", "ev": "eV", "EV": "eV",
    "Ev": "eV", "kev": "keV",
    "KeV": "keV", "Kev": "keV", "KEV": "keV", "Mev": "MeV", "gev": "GeV", "Gev": "GeV", "GEV": "GeV", "AA": "Å",
    "Ang": "Å", "ang": "Å", "ANG": "Å", "um": "μm", "CM": "cm", "NM": "nm", "cc": "cm3", "ccm": "cm3",
    "ma": "mA", "ua": "uA", "kv": "kV", "KV": "kV", "Kv": "kV", "kw": "kW", "KW": "kW", "mBar": "mbar", "Bar": "bar",
    "BAR": "bar",
    "MBAR": "mbar", "torr": "Torr", "mtorr": "mTorr", "TORR": "Torr", "PSI": "psi", "pa": "Pa", "kpa": "kPa",
    "KPa": "kPa", "hpa": "hPa",
    "Mpa": "MPa", "Gpa": "GPa", "gpa": "GPa", "Ohm": "Ω", "ohm": "Ω", "OHM": "Ω", "ohms": "Ω", "Ohms": "Ω",
    "kOhm": "kΩ", "kohm": "kΩ",
    "MOhm": "MΩ", "Mohm": "MΩ", "mOhm": "mΩ", "deg": "°", "Deg": "°", "DEG": "°", "degs": "°", "arcdeg": "°",
    "mdeg": "m°",
    "udeg": "u°", "RAD": "rad", "Rad": "rad", "mRad": "mrad", "uRad": "urad", "asec": "arcsec", "rpm": "rev/min",
    "RPM": "rev/min", "degC": "°C", "DegC": "°C", "degc": "°C", "deg_C": "°C", "ºC": "°C", "oC": "°C", "degF": "°F",
    "DegF": "°F",
    "deg_F": "°F", "degK": "K", "deg_K": "K", "°K": "K", "°k": "K", "mdegC": "mK", "amu": "Da", "u": "Da",
    "uma": "Da", "kda": "kDa", "KDa": "kDa", "mMol": "mmol", "Mol": "mol", "Gs": "G", "gauss": "G",
    "Ry": "rydberg", "Ha": "hartree", "B": "byte", "kB": "kbyte", "KB": "kbyte", "MB": "Mbyte", "GB": "Gbyte",
    "TB": "Tbyte", "PB": "Pbyte",
    "ph": "photon", "phs": "photon", "phot": "photon", "e-": "electron", "e⁻": "electron", "ct": "count",
    "cts": "count",
    "Cts": "count", "kcts": "kcount", "cnt": "count", "cnts": "count", "ADU": "count", "adu": "count",
    "cps": "count/s", "CPS": "count/s",
    "kcps": "kcount/s", "Mcps": "Mcount/s", "Hits": "count", "hits": "count", "px": "pixel", "pix": "pixel",
    "Px": "pixel", "pts": "point",
    "fps": "frame/s", "FPS": "frame/s", "percent": "%", "pct": "%", "PPM": "ppm",
    "wt.%": "wt%", "wt.-%": "wt%", "wt-%": "wt%", "w%": "wt%", "%wt": "wt%", "mass%": "wt%", "at.%": "at%",
    "at.-%": "at%", "%at": "at%", "mol%": "at%",
    "mol.%": "at%", "mol-%": "at%", "vol.%": "vol%", "vol-%": "vol%", "v%": "vol%", "%vol": "vol%", "1": "one",
    "kg/kg": "massfraction",
    "mol/mol": "amountfraction", "m3/m3": "volumefraction",
}  # fmt: skip

# whole names, in any case, with or without a plural s and a prefix written out; blanks are taken out before
WORDS: dict[str, str] = {
    "meter": "m", "metre": "m", "gram": "g", "gramme": "g", "second": "s", "ampere": "A", "amp": "A", "kelvin": "K",
    "degreekelvin": "K",
    "degreeskelvin": "K", "degkelvin": "K", "mole": "mol", "candela": "cd", "radian": "rad", "steradian": "sr",
    "hertz": "Hz",
    "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W", "coulomb": "C", "volt": "V", "siemens": "S",
    "farad": "F",
    "tesla": "T", "weber": "Wb", "henry": "H", "lumen": "lm", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv",
    "liter": "L", "litre": "L", "electronvolt": "eV", "electron-volt": "eV", "calorie": "cal", "angstrom": "Å",
    "angström": "Å", "ångström": "Å",
    "ångstrom": "Å", "angstroem": "Å", "micron": "μm", "fermi": "fm", "dalton": "Da", "tonne": "t", "minute": "min",
    "hour": "h",
    "day": "d", "week": "week", "year": "yr", "degree": "°", "arcdegree": "°", "arcminute": "arcmin",
    "arcsecond": "arcsec", "revolution": "rev",
    "turn": "rev", "celsius": "°C", "degcelsius": "°C", "deg.celsius": "°C", "degreecelsius": "°C",
    "degreescelsius": "°C", "°celsius": "°C",
    "degreec": "°C", "degreesc": "°C", "deg.c": "°C", "degc": "°C", "centigrade": "°C", "degreescentigrade": "°C",
    "fahrenheit": "°F",
    "degreefahrenheit": "°F", "degreesfahrenheit": "°F", "degf": "°F", "degreesf": "°F", "oersted": "Oe",
    "curie": "Ci", "poise": "P", "torr": "Torr",
    "atmosphere": "atm", "byte": "byte", "photon": "photon", "electron": "electron", "neutron": "neutron",
    "count": "count", "event": "count",
    "pixel": "pixel", "pulse": "pulse", "bunch": "pulse", "bunches": "pulse", "shot": "pulse", "frame": "frame",
    "image": "frame",
    "projection": "frame", "point": "point", "step": "step", "channel": "channel", "inch": "inch", "inches": "inch",
    "foot": "foot", "feet": "foot", "percent": "%", "permille": "‰", "dimensionless": "one", "unity": "one",
    "ratio": "one", "fraction": "one",
    "hartree": "hartree", "rydberg": "rydberg", "bohr": "bohr", "gauss": "G", "weightpercent": "wt%",
    "atomicpercent": "at%", "molepercent": "at%",
    "volumepercent": "vol%", "massfraction": "massfraction", "molefraction": "amountfraction",
    "molarfraction": "amountfraction",
    "volumefraction": "volumefraction",
}  # fmt: skip
SYMBOLS["rydberg"] = ("2.1798723611030e-18", "kg m2 s-2", "m")

# in any case, without blanks: nothing is said about a unit, or nothing that can be converted without guessing
NO_UNIT: frozenset[str] = frozenset(
    """
    - -- --- . ? / n/a na n.a. n.a none null nan nil nounit nounits no unitless unit units undefined unspecified unknown
    any other a.u. a.u au arb arb. arb.u. arb.u arb.unit arb.units arb.unit. arb.units. arbunit arbunits arbitrary
    arbitraryunit arbitraryunits a.u.(arbitraryunits) arbitr.units relative rel rel. relativeunits normalized normalised
    string text bool boolean date datetime iso8601 timestamp nx_any nx_char nx_unitless db dbm dbi log logarithmic
    particle particles hand hands link links rod rods stone chain drop drops pole perch score league cable peak
    quarter scruple grade grades lambda gamma grain grains cup cups peck barrel rads
    """.split()  # noqa: SIM905 - one word a cell reads better than 90 quotes
) | {""}

# one symbol of several things, in this very case: coulomb or Celsius, farad or Fahrenheit, molar or million, A or Å
AMBIGUOUS: frozenset[str] = frozenset(
    """
    C F M S H P b c f k t a MM Mm mev MEV mhz mpa mw mv Mb PH Ph kt keV/c ton tons
    A-1 A^-1 A**-1 1/A A2 A^2 A**2 A3 A^3 A**3
    """.split()  # noqa: SIM905
)
