"""What a finished study says of another device: quality as it was found, prices by another latency table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mfagan.errors import InputError
from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, Target
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.problem import PSNR, SubGeneratorProblem
from search.problem import Case, Known, Objective, Point

__all__ = ["RepricedProblem"]

_FORESEEN = (LATENCY, MEMORY)


class RepricedProblem(SubGeneratorProblem):
    """The problem of a study with another table: its identity and values are what a search with that table has.

    Only choices that the study has finished can be evaluated.
    """

    def __init__(
        self,
        supernet: Path,
        target: Target,
        objectives: Sequence[Objective],
        identity: Mapping[str, str],
        points: Sequence[Point],
        cases: Sequence[Case] = (),
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Take over what the study found.

        Args:
            supernet: The SuperGenerator that the study scored.
            target: The other latency table, the LR size and the ceilings.
            objectives: Those of the study.
            identity: What the study's values depend on.
            points: The study's finished trials.
            cases: What they were scored on.
            sources: Where the other table and the study's images are kept, by name.

        Raises:
            InputError: Another SuperGenerator, or the study is not one of SubGenerators.
            SearchError: The table lacks keys.
        """
        if PSNR not in objectives or LATENCY not in objectives:
            names = ", ".join(objective.name for objective in objectives)
            raise InputError(f"objectives {names}: only studies of `mfagan search` can be priced again")
        super().__init__(supernet, [], target, sources=sources)
        self.cases = tuple(cases)
        self.raced = ()  # nothing is scored
        wanted = identity.get("supernet_sha256", "")
        if self._supernet_sha256 != wanted:
            raise InputError(
                f"SuperGenerator {supernet}: its sha256 is {self._supernet_sha256[:12]}..., the study scored "
                f"{wanted[:12]}...; give the original with --supernet"
            )
        self.objectives = tuple(objectives)
        self._before = dict(identity)
        self._found = {
            self.as_candidate(point.choice): Measured(
                {
                    objective.name: value
                    for objective, value in zip(objectives, point.values, strict=True)
                    if objective not in _FORESEEN
                },
                {"precision": point.attributes.get("precision", "fp32")},
                point.scores,
            )
            for point in points
        }

    def identity(self) -> dict[str, str]:
        """That of the study, with this table, target size and ceilings."""
        priced = super().identity()
        return self._before | {name: priced[name] for name in ("lut_sha256", "target_size", "ceilings")}

    def measure(self, candidates: Sequence[Widths], known: Sequence[Known]) -> list[Measured]:
        """Look up what the study found.

        Args:
            candidates: Widths that the study has finished.
            known: Not used.
        """
        return [self._found[widths] for widths in candidates]
