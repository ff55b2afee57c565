"""The ways of measuring, the techniques they count as, and the knobs they record (labels of PaNET 1.3.0)."""

from dataclasses import dataclass

from demo.world.records import Technique


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter's name, unit and honest interval; `spread` true makes some values a range (low, high)."""

    name: str
    unit: str
    low: float
    high: float
    digits: int = 2
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A way of measuring: the techniques it counts as, its knobs, what it is good for and what its files are."""

    name: str
    techniques: tuple[Technique, ...]
    knobs: tuple[Knob, ...]
    fields: tuple[str, ...]
    formats: tuple[str, ...]
    aims: tuple[str, ...]


ENERGY = Knob("photon_energy", "keV", 5.0, 45.0, 3)
SOFT = Knob("photon_energy", "eV", 80.0, 1800.0, 1)
WAVELENGTH = Knob("wavelength", "Å", 1.1, 6.5, 3)
TEMPERATURE = Knob("sample_temperature", "K", 1.5, 320.0, 1, spread=True)
HOT = Knob("sample_temperature", "K", 290.0, 1250.0, 0, spread=True)
CELSIUS = Knob("cell_temperature", "°C", 4.0, 85.0, 1)
PRESSURE = Knob("pressure", "GPa", 0.1, 62.0, 2, spread=True)
FIELD = Knob("magnetic_field", "T", 0.0, 14.0, 2, spread=True)
EXPOSURE = Knob("exposure_time", "s", 0.005, 30.0, 3)
COUNTING = Knob("acquisition_time", "min", 5.0, 240.0, 0)
DISTANCE = Knob("detector_distance", "m", 0.15, 12.0, 3)
Q_RANGE = Knob("q_range", "1/Å", 0.002, 0.8, 4, spread=True)
WIDE_Q = Knob("q_range", "1/Å", 0.3, 24.0, 2, spread=True)
TRANSFER = Knob("energy_transfer", "meV", -5.0, 120.0, 2, spread=True)
INCIDENT = Knob("incident_energy", "meV", 2.0, 180.0, 2)
PIXEL = Knob("pixel_size", "µm", 0.05, 6.5, 3)
STEP = Knob("step_size", "nm", 40.0, 2000.0, 0)
PROJECTIONS = Knob("number_of_projections", "", 720.0, 3600.0, 0)
ANGLE = Knob("incidence_angle", "deg", 0.08, 3.5, 3)
DELAY = Knob("pump_probe_delay", "ps", -5.0, 900.0, 1, spread=True)
FLUX = Knob("photon_flux", "1/s", 1.0e9, 4.0e13, 0)
CONCENTRATION = Knob("concentration", "mg/mL", 0.2, 40.0, 2)
VACUUM = Knob("chamber_pressure", "mbar", 1.0e-10, 2.0e-8, 11)
RESOLUTION = Knob("resolution", "Å", 1.05, 3.4, 2)


def _t(*pairs: tuple[str, str]) -> tuple[Technique, ...]:
    return tuple(Technique(code, label) for code, label in pairs)


_METHODS = (
    Method(
        "saxs",
        _t(("PaNET01188", "small angle x-ray scattering")),
        (ENERGY, EXPOSURE, DISTANCE, Q_RANGE, CELSIUS, CONCENTRATION, FLUX),
        ("soft matter", "life"),
        ("HDF5", "NeXus"),
        ("resolving the hierarchy of length scales", "following self-assembly in real time"),
    ),
    Method(
        "waxs",
        _t(("PaNET01188", "small angle x-ray scattering"), ("PaNET01191", "wide angle x-ray scattering")),
        (ENERGY, EXPOSURE, DISTANCE, Q_RANGE, HOT),
        ("soft matter", "engineering"),
        ("HDF5",),
        ("linking crystallisation and lamellar order", "separating crystalline and amorphous signal under load"),
    ),
    Method(
        "xpd",
        _t(("PaNET01101", "x-ray powder diffraction")),
        (ENERGY, EXPOSURE, TEMPERATURE, PRESSURE, WIDE_Q),
        ("quantum", "energy", "engineering", "earth"),
        ("HDF5", "XYE"),
        ("locating the structural transition", "mapping the phase diagram"),
    ),
    Method(
        "pdf",
        _t(("PaNET01181", "pair distribution function"), ("PaNET01216", "x-ray diffraction")),
        (ENERGY, EXPOSURE, HOT, WIDE_Q),
        ("energy", "catalysis"),
        ("HDF5", "XYE"),
        ("separating local distortion from the average structure", "watching short-range order emerge"),
    ),
    Method(
        "mx",
        _t(("PaNET01164", "macromolecular crystallography"), ("PaNET01102", "x-ray single crystal diffraction")),
        (ENERGY, EXPOSURE, RESOLUTION, Knob("sample_temperature", "K", 100.0, 298.0, 0), FLUX),
        ("life",),
        ("CBF", "HDF5"),
        ("solving the structure of the bound state", "screening fragments against the active site"),
    ),
    Method(
        "xanes",
        _t(
            ("PaNET01199", "x-ray absorption near edge structure"),
            ("PaNET01198", "extended x-ray absorption fine structure"),
        ),
        (Knob("edge_energy", "keV", 4.9, 24.4, 4), EXPOSURE, HOT, FLUX),
        ("catalysis", "energy", "earth"),
        ("HDF5", "ASCII"),
        ("following the oxidation state operando", "identifying the coordination of the metal site"),
    ),
    Method(
        "xrf",
        _t(("PaNET01288", "scanning x-ray fluorescence"), ("PaNET01113", "fluorescence microscopy")),
        (ENERGY, STEP, EXPOSURE),
        ("earth", "heritage", "life"),
        ("HDF5",),
        ("mapping trace metals", "locating pigments below the surface"),
    ),
    Method(
        "tomo",
        _t(
            ("PaNET01208", "x-ray microtomography"),
            ("PaNET01333", "x-ray propagation phase contrast microtomography"),
        ),
        (ENERGY, EXPOSURE, PIXEL, PROJECTIONS, DISTANCE),
        ("heritage", "engineering", "energy", "life", "earth"),
        ("HDF5", "TIFF"),
        ("imaging crack growth in three dimensions", "segmenting the pore network"),
    ),
    Method(
        "ptycho",
        _t(("PaNET01212", "ptychography"), ("PaNET01213", "ptychographic nanotomography")),
        (ENERGY, STEP, EXPOSURE, PIXEL, PROJECTIONS),
        ("energy", "life", "catalysis"),
        ("HDF5",),
        ("resolving the grain boundary network at 20 nm", "imaging electron density quantitatively"),
    ),
    Method(
        "arpes",
        _t(("PaNET01089", "angle resolved photoemission spectroscopy")),
        (
            SOFT,
            Knob("sample_temperature", "K", 6.0, 300.0, 1, spread=True),
            VACUUM,
            Knob("binding_energy", "eV", -0.4, 6.0, 2, True),
        ),
        ("quantum",),
        ("HDF5", "IBW"),
        ("tracing the band dispersion near the Fermi level", "measuring the gap along the nodal direction"),
    ),
    Method(
        "rixs",
        _t(("PaNET01183", "resonant inelastic x-ray scattering")),
        (SOFT, TEMPERATURE, Knob("energy_loss", "meV", -50.0, 3500.0, 0, True), EXPOSURE),
        ("quantum",),
        ("HDF5", "SPEC"),
        ("measuring magnon dispersion", "searching for charge order"),
    ),
    Method(
        "xmcd",
        _t(
            ("PaNET01137", "x-ray magnetic circular dichroism"),
            ("PaNET01294", "x-ray photoemission electron microscopy"),
        ),
        (SOFT, TEMPERATURE, FIELD),
        ("quantum", "thin films"),
        ("HDF5",),
        ("separating spin and orbital moments", "imaging magnetic domains"),
    ),
    Method(
        "apxps",
        _t(
            ("PaNET01218", "ambient pressure x-ray photoelectron spectroscopy"),
            ("PaNET01204", "x-ray photoelectron spectroscopy"),
        ),
        (SOFT, HOT, Knob("gas_pressure", "mbar", 0.05, 25.0, 2)),
        ("catalysis",),
        ("HDF5", "VAMAS"),
        ("identifying surface species under reaction conditions", "following reduction of the oxide support"),
    ),
    Method(
        "giwaxs",
        _t(
            ("PaNET01316", "grazing incidence wide angle x-ray scattering"),
            ("PaNET01162", "grazing incidence small angle x-ray scattering"),
        ),
        (ENERGY, ANGLE, EXPOSURE, CELSIUS, Q_RANGE),
        ("thin films", "energy"),
        ("HDF5", "TIFF"),
        ("following texture during annealing", "relating film morphology to device efficiency"),
    ),
    Method(
        "sfx",
        _t(
            ("PaNET01309", "time resolved serial femtosecond crystallography"),
        ),
        (ENERGY, DELAY, RESOLUTION, Knob("pulse_energy", "mJ", 0.4, 2.6, 2)),
        ("life",),
        ("HDF5", "CXI"),
        ("filming the photocycle intermediates",),
    ),
    Method(
        "npd",
        _t(("PaNET01234", "high resolution neutron powder diffraction")),
        (WAVELENGTH, TEMPERATURE, PRESSURE, COUNTING, WIDE_Q),
        ("quantum", "energy", "earth"),
        ("NeXus", "XYE"),
        ("determining the magnetic structure", "refining oxygen and hydrogen positions"),
    ),
    Method(
        "nsc",
        _t(("PaNET01236", "neutron single crystal diffraction"), ("PaNET01253", "magnetic diffraction")),
        (WAVELENGTH, TEMPERATURE, FIELD, COUNTING),
        ("quantum",),
        ("NeXus",),
        ("determining the propagation vector", "mapping the magnetic phase diagram"),
    ),
    Method(
        "sans",
        _t(("PaNET01189", "small angle neutron scattering")),
        (WAVELENGTH, Q_RANGE, DISTANCE, CELSIUS, CONCENTRATION, COUNTING),
        ("soft matter", "life", "engineering"),
        ("NeXus", "ASCII"),
        ("contrast matching the lipid shell", "resolving the core-shell structure"),
    ),
    Method(
        "sans-field",
        _t(("PaNET01189", "small angle neutron scattering"), ("PaNET01253", "magnetic diffraction")),
        (WAVELENGTH, Q_RANGE, TEMPERATURE, FIELD, COUNTING),
        ("quantum",),
        ("NeXus",),
        ("imaging the skyrmion lattice in reciprocal space", "following the vortex lattice melting"),
    ),
    Method(
        "ins",
        _t(("PaNET01245", "inelastic neutron spectroscopy"), ("PaNET01244", "time-of-flight spectrometry")),
        (INCIDENT, TRANSFER, TEMPERATURE, FIELD, COUNTING),
        ("quantum", "energy"),
        ("NeXus",),
        ("measuring the spin wave dispersion", "mapping anharmonic phonons"),
    ),
    Method(
        "qens",
        _t(("PaNET01035", "quasielastic scattering"), ("PaNET01299", "high resolution inelastic neutron scattering")),
        (Knob("energy_resolution", "µeV", 0.8, 90.0, 1), TEMPERATURE, Q_RANGE, COUNTING),
        ("soft matter", "energy", "life"),
        ("NeXus",),
        ("separating rotation and long-range diffusion", "determining the proton hopping rate"),
    ),
    Method(
        "nse",
        _t(("PaNET01120", "quasielastic neutron spin echo scattering")),
        (WAVELENGTH, Knob("fourier_time", "ns", 0.01, 300.0, 2, True), CELSIUS, Q_RANGE),
        ("soft matter", "life"),
        ("NeXus", "ASCII"),
        ("measuring membrane undulation", "following domain motion of the protein"),
    ),
    Method(
        "nref",
        _t(("PaNET01239", "neutron reflectometry"), ("PaNET01243", "polarized neutron reflectometry")),
        (WAVELENGTH, ANGLE, FIELD, TEMPERATURE, Q_RANGE),
        ("thin films", "soft matter"),
        ("NeXus", "ORSO"),
        ("depth profiling the magnetisation", "locating the buried interface"),
    ),
    Method(
        "nimg",
        _t(("PaNET01249", "cold neutron imaging"), ("PaNET01129", "tomography")),
        (WAVELENGTH, EXPOSURE, PIXEL, PROJECTIONS),
        ("heritage", "engineering", "energy"),
        ("TIFF", "HDF5"),
        ("visualising water transport", "imaging hydrogen uptake"),
    ),
    Method(
        "musr",
        _t(("PaNET01051", "muon spin resonance"), ("PaNET01114", "muon spectroscopy")),
        (TEMPERATURE, Knob("longitudinal_field", "mT", 0.0, 450.0, 1), COUNTING),
        ("quantum", "energy"),
        ("NeXus",),
        ("probing the superfluid density", "detecting slow spin fluctuations"),
    ),
)
METHODS = {method.name: method for method in _METHODS}
