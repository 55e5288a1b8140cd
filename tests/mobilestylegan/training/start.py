"""Trains a student, against a discriminator, as a process of its own: TEACHER FOLDER BATCH STEPS."""

import sys
from pathlib import Path

import torch

from mfagan.mobilestylegan.training.recipe import LossWeights
from mfagan.mobilestylegan.training.stages import SUPERNET, train_student
from tests.mobilestylegan.training.small import student_recipe, student_run

if __name__ == "__main__":
    teacher, folder = map(Path, sys.argv[1:3])
    batch, steps = map(int, sys.argv[3:])
    torch.set_num_threads(1)
    recipe = student_recipe(LossWeights(adv=0.1), steps, batch=batch, r1_every=4)
    train_student(student_run(folder, recipe), teacher, SUPERNET)
