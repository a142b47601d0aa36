"""Ends the emulator when the process that started it has gone without ending it: a run that is killed leaves nothing behind."""

import os
import signal
import threading
import time

LOOK_EVERY_SECONDS = 1


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def install():
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True, name="watch-parent").start()
