"""hushwire.yaml: how the proxy stands in front of services. What is personal is said in proxy/rulebook."""

from proxy.config.plan import plan_of
from proxy.config.read import Config, read

__all__ = ["Config", "plan_of", "read"]
