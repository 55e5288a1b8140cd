"""What `import mfagan` gives around a search: the problem, its price on another device, fine-tuning of a point."""

from mfagan.sr.study.finetuned_point import finetune
from mfagan.sr.study.opened_problem import reprice, search_problem
from mfagan.sr.training.finetune import FineTuned

__all__ = ["FineTuned", "finetune", "reprice", "search_problem"]
