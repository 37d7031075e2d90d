from .critic import ServedCritic as ServedCritic
from .critic import load_served_critic as load_served_critic
from .errors import ServerError as ServerError
from .policy import load_served_policy as load_served_policy
