"""Which loopback port is given: one that nobody listens on, and never the same to two."""

from __future__ import annotations

import socket
import subprocess
import sys

from demo import ports
from demo.children import ROOT
from demo.ports import HOST, free_port, is_free

MANY = "from demo.ports import free_port; print(*[free_port() for _ in range(300)], flush=True); input()"


def test_processes_that_choose_at_the_same_time_never_get_the_same_port() -> None:
    """Of 1,200 chosen by chance among 10,000 some seventy would be given twice."""
    command = [sys.executable, "-c", MANY]
    several = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    given = [free_port() for _ in range(300)]
    for each in several:
        assert each.stdout is not None
        given += map(int, each.stdout.readline().split())
    for each in several:
        each.communicate("\n")
    assert len(given) == len(set(given)) == 1_200


def test_what_an_ended_process_had_is_given_again() -> None:
    said = subprocess.run(
        [sys.executable, "-c", MANY], cwd=ROOT, input="\n", capture_output=True, text=True, check=True
    )
    assert any(ports._claimed(port) for port in map(int, said.stdout.split()))


def test_a_port_on_which_somebody_listens_is_not_free() -> None:
    port = free_port()
    assert is_free(port)
    with socket.create_server((HOST, port)):
        assert not is_free(port)
