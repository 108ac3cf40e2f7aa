"""The gate: the one published port. Who may see, who may touch, and the way through to Xvnc."""

from deskgate.lean import load_basics

load_basics()  # here, since it has to come before any module of this folder
