"""The Debian suites that a base image can be of; apart, as the help of `setup` names them."""

SUITES = ("bookworm", "bullseye", "trixie")
