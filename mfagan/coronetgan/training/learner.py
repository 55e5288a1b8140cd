"""What the stages train: translators against discriminators, pruned or not."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan.coronetgan.training.draws.pool import PicturePool
from mfagan.coronetgan.training.objectives import DiscriminatorObjective, GeneratorObjective, TranslatorPair
from mfagan.coronetgan.training.recipe import TranslationRecipe
from mfagan.coronetgan.training.sparsifier import Sparsifier
from mfagan.errors import InputError
from mfagan.training.descent import Descent
from mfagan.training.learner import Learner
from mfagan.training.losses import weighted_sum
from mfagan.training.recipe import FallingStage
from mfagan.training.snapshot import Stateful

__all__ = ["TranslationLearner"]


class TranslationLearner(Learner):
    """The optimization of a translator, or of CycleGAN's two, against their discriminators.

    One step trains the translators, then the discriminators on what those made, as CycleGAN's public code does; that of
    pix2pix trains the discriminator first. While a ratio is sought the latents are shrunk after the translators' step.
    CycleGAN's two are pruned each for itself; the first that arrives keeps its masks and latents until the other one
    arrives, and both are baked then. (The method that CoroNetGAN builds on bakes each at its own step; what is masked
    and what is baked make the same pictures.)
    """

    watched = "loss"

    def __init__(
        self,
        recipe: TranslationRecipe,
        stage: FallingStage,
        objective: GeneratorObjective,
        discriminators: nn.ModuleDict,
        fabric: Fabric,
        seed: int,
        *,
        sparsifiers: Mapping[str, Sparsifier] | None = None,
        before: int = 0,
    ) -> None:
        """Set networks, losses and optimizers up on the run's device.

        Args:
            recipe: gives the optimizers' settings and the weights of the losses.
            stage: the stage's settings, as long as it shall be.
            objective: of the translators, with what is trained in it.
            discriminators: by name.
            fabric: where they train.
            seed: of dropped features and of the pools.
            sparsifiers: by the ends of the translators' names, such as "_a"; None prunes nothing.
            before: steps of the course that another stage has made.
        """
        self.stage = stage
        self.fabric = fabric
        self.network = objective.translators.train()
        self.discriminators = discriminators.train()
        self.sparsifiers = dict(sparsifiers or {})
        self._before = before
        self._seed = seed
        self._drops = recipe.dropout
        self._weights = {
            **dict.fromkeys(("gan", "gan_a", "gan_b"), 1.0),
            "l1": recipe.l1,
            "cycle": recipe.cycle,
            "identity": recipe.cycle * recipe.identity,
        }
        self._translators = Descent(fabric, objective, recipe)
        self._critics = Descent(fabric, DiscriminatorObjective(discriminators, recipe.gan), recipe)
        pooled = () if recipe.model == "pix2pix" else tuple(discriminators)
        self._pools = {name: PicturePool(recipe.pool, seed, name, fabric) for name in pooled}
        self.shown = ("discriminator_loss", *(f"ratio{end}" for end in self.sparsifiers))

    def parts(self) -> Mapping[str, Stateful]:
        """The objectives, whose parameters are what is trained, their optimizers, the pools, and how far pruning is."""
        return {
            **self._translators.parts("translators"),
            **self._critics.parts("discriminators"),
            **{f"pool_{name}": pool for name, pool in self._pools.items()},
            **{f"sparsifier{end}": one for end, one in self.sparsifiers.items()},
        }

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on pictures of both domains.

        Args:
            number: the step's, from 0.
            batch: pictures of A and of B, (N, C, H, W) each, in [-1, 1].

        Returns:
            The unweighted loss terms by name, the translators' weighted sum "loss", "discriminator_loss", the 2-norms
            of the gradients before clipping, the learning rate, and the ratios of those that are pruned.

        Raises:
            InputError: the last step is made and a ratio is not reached.
        """
        a, b = (one.to(self.fabric.device) for one in batch)
        course = number + self._before
        rate = self.stage.learning_rate_at(course)
        self.discriminators.requires_grad_(False)
        with self._drawing(course):
            terms, shown = self._translators.objective(a, b, course)
        for one in self.sparsifiers.values():
            one.hold()
        norm = self._translators.descend(terms, self._weights, rate)
        for one in self.sparsifiers.values():
            one.follow(number, rate)
        self.discriminators.requires_grad_(True)
        shown = {
            name: (real, self._pools[name].swap(course, fake) if name in self._pools else fake)
            for name, (real, fake) in shown.items()
        }
        judged = self._critics.objective(shown)
        critic_norm = self._critics.descend(judged, dict.fromkeys(judged, 0.5), rate)
        self._require_arrival(number)
        found = {name: term.detach() for name, term in terms.items()}
        judged = {name: term.detach() for name, term in judged.items()}
        figures = {
            "loss": weighted_sum(found, {name: self._weights[name] for name in found}),
            "discriminator_loss": weighted_sum(judged, dict.fromkeys(judged, 0.5)),
            "gradient": norm,
            "discriminator_gradient": critic_norm,
        }
        plain = {"learning_rate": rate} | {f"ratio{end}": one.ratio for end, one in self.sparsifiers.items()}
        return (
            found
            | judged
            | figures
            | {name: torch.tensor(value, device=self.fabric.device) for name, value in plain.items()}
        )

    def done(self) -> bool:
        """Whether every ratio is reached, if one is sought."""
        return bool(self.sparsifiers) and all(one.arrived for one in self.sparsifiers.values())

    def results(self) -> Sequence[nn.Module]:
        """The translators, then the discriminators."""
        own = (
            (self.network.a, self.network.b) if isinstance(self.network, TranslatorPair) else (self.network,)
        )
        return (*own, *self.discriminators.values())

    def _require_arrival(self, number: int) -> None:
        if not self.sparsifiers or self.done() or number + 1 < self.stage.steps - 1:
            return
        ratios = ", ".join(f"{one.ratio:.3f}" for one in self.sparsifiers.values())
        raise InputError(
            f"after {number + 1} of {self.stage.steps} steps the ratio is {ratios}, not yet what was asked for: "
            "give more steps, a larger gamma or a larger learning rate"
        )

    @contextmanager
    def _drawing(self, number: int) -> Iterator[None]:
        """Let what is dropped be a function of seed, step and process."""
        if not self._drops:
            yield
            return
        seed = random.Random(f"dropout {self._seed} {number} {self.fabric.global_rank}").getrandbits(63)
        devices = [self.fabric.device] if self.fabric.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            yield
