"""What both programs share: the model of energies, and sequences."""

import RNA

PARAMETERS = {
    "rna_turner2004": RNA.params_load_RNA_Turner2004,
    "rna_turner1999": RNA.params_load_RNA_Turner1999,
    "rna_andronescu2007": RNA.params_load_RNA_Andronescu2007,
    "rna_langdon2018": RNA.params_load_RNA_Langdon2018,
    "dna_mathews2004": RNA.params_load_DNA_Mathews2004,
    "dna_mathews1999": RNA.params_load_DNA_Mathews1999,
}
BASES = frozenset("ACGURYSWKMBDHVN")


def details(  # noqa: PLR0913, PLR0917  the options of RNAfold; they are keywords
    temperature=37.0,
    dangles=2,
    parameters="rna_turner2004",
    lonely_pairs=True,
    circular=False,
    quadruplexes=False,
    max_span=None,
):
    if not PARAMETERS[parameters]():
        raise RuntimeError("the energies %r could not be loaded" % parameters)
    model = RNA.md()
    model.temperature = temperature
    # Also the global one, as RNAfold does: the way back from the energy to the structure reads it.
    model.dangles = RNA.cvar.dangles = dangles
    model.noLP = int(not lonely_pairs)
    model.circ = int(circular)
    model.gquad = int(quadruplexes)
    if max_span is not None:
        model.max_bp_span = max_span
    return model


def compound(sequence, model):
    """Make what is folded; T is read as U, as RNAfold does."""
    sequence = sequence.upper().replace("T", "U")
    if not sequence:
        raise ValueError("the sequence is empty")
    if unknown := sorted(set(sequence) - BASES):
        raise ValueError("%r is not the code of a nucleotide" % unknown[0])
    return RNA.fold_compound(sequence, model)


def best(compound):
    """Return the structure of least free energy, and that energy."""
    structure, free_energy = compound.mfe()
    if len(structure) != compound.length:
        raise RuntimeError("no structure was found that has the least free energy")
    return structure, free_energy


def energy(value):
    """Round to the two digits that energies have; single precision adds more."""
    return round(value, 2) + 0.0
