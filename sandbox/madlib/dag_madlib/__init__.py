"""The sandbox's stand-ins for functions of Apache MADlib, for use inside PL/Python.

They have MADlib's names, arguments, output tables and messages, so that a pipeline cannot tell them
from MADlib's; the mathematics is scikit-learn's. README.md of the sandbox lists what differs.
"""

VERSION = "dag sandbox stand-in for Apache MADlib (not MADlib): PL/Python and scikit-learn"
