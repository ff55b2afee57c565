"""The invented instruments of x-ray and neutron facilities, after the kinds that real ones run."""

from dataclasses import dataclass
from typing import Literal

Probe = Literal["x-ray", "neutron"]


@dataclass(frozen=True, slots=True)
class Station:
    """An instrument of a facility kind, with the methods it is built for."""

    name: str
    full_name: str
    description: str
    probe: Probe
    methods: tuple[str, ...]


STATIONS = (
    Station(
        "P-SAXS",
        "High-throughput small-angle scattering beamline",
        "Bending magnet source, 8–20 keV, robot for liquids",
        "x-ray",
        ("saxs", "waxs"),
    ),
    Station(
        "ID-POW",
        "High-resolution powder diffraction beamline",
        "Undulator, 10–75 keV, nine analyser crystals",
        "x-ray",
        ("xpd", "pdf"),
    ),
    Station(
        "MX-1",
        "Macromolecular crystallography beamline",
        "In-vacuum undulator, 6–17 keV, sample changer",
        "x-ray",
        ("mx",),
    ),
    Station(
        "XAFS",
        "X-ray absorption spectroscopy beamline",
        "Wiggler, 4.5–35 keV, quick scanning monochromator",
        "x-ray",
        ("xanes",),
    ),
    Station(
        "TOMO-2",
        "Fast tomographic microscopy beamline",
        "Superbend, 8–45 keV, pink beam up to 20 tomograms a second",
        "x-ray",
        ("tomo",),
    ),
    Station(
        "NANO",
        "Nanoprobe for fluorescence and ptychography",
        "180 m long, 50 nm focus, 6–25 keV",
        "x-ray",
        ("xrf", "ptycho"),
    ),
    Station(
        "SPECTRA",
        "Soft x-ray spectroscopy of quantum matter",
        "Twin APPLE II undulators, 80–1800 eV",
        "x-ray",
        ("arpes", "rixs", "xmcd"),
    ),
    Station(
        "SURF",
        "Surfaces and interfaces at work",
        "Ambient pressure photoemission and grazing incidence",
        "x-ray",
        ("apxps", "giwaxs"),
    ),
    Station(
        "EXTREME",
        "Extreme conditions diffraction",
        "Diamond anvil cells with laser heating, 20–60 keV",
        "x-ray",
        ("xpd", "tomo"),
    ),
    Station(
        "FEMTO",
        "Femtosecond crystallography instrument",
        "Pulses below 30 fs, liquid jet and fixed targets",
        "x-ray",
        ("sfx",),
    ),
    Station(
        "HEIMDALL",
        "High-resolution powder diffractometer",
        "Thermal guide, 120° detector bank, Ge(533) monochromator",
        "neutron",
        ("npd",),
    ),
    Station(
        "LOKE",
        "Small-angle neutron scattering instrument",
        "Velocity selector, 2–40 m, wavelength 3–20 Å",
        "neutron",
        ("sans", "sans-field"),
    ),
    Station(
        "BRAGE",
        "Direct-geometry time-of-flight spectrometer",
        "Disc choppers, 1–200 meV, position-sensitive detectors",
        "neutron",
        ("ins",),
    ),
    Station("SKALD", "Backscattering spectrometer", "Si(111) analysers, 0.8 µeV resolution", "neutron", ("qens",)),
    Station(
        "EKKO", "Neutron spin echo spectrometer", "Superconducting coils, Fourier times to 300 ns", "neutron", ("nse",)
    ),
    Station(
        "SPEIL",
        "Polarised neutron reflectometer",
        "Horizontal sample, polarisation analysis, 2.5–12 Å",
        "neutron",
        ("nref",),
    ),
    Station(
        "SYN", "Cold neutron imaging station", "Pinhole L/D 150–800, scintillator and CMOS camera", "neutron", ("nimg",)
    ),
    Station(
        "ALVA",
        "Polarised single-crystal diffractometer",
        "Lifting counter, 15 T cryomagnet, He-3 filters",
        "neutron",
        ("nsc",),
    ),
    Station(
        "MY-1", "Muon spin rotation spectrometer", "Surface muons, dilution refrigerator to 20 mK", "neutron", ("musr",)
    ),
)
