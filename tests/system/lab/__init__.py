"""A laboratory of virtual networks on one Linux machine, for the system tests.

It makes network namespaces, hosts with their own /etc, docker daemons and registries' clients, and takes
everything away again. It is not a test itself and knows nothing about what a test expects.
"""

from .docker import Dockerd
from .network import Host, Lab, Network
from .process import Failed, Process, Result, run
from .server import CliError, Kidoban
from . import pki
from .wait import until

__all__ = ["CliError", "Dockerd", "Failed", "Host", "Kidoban", "Lab", "Network", "Process", "Result",
           "pki", "run", "until"]
