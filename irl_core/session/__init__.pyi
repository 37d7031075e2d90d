from .record import ModelCard as ModelCard
from .record import Session as Session
from .record import load_session as load_session
from .run import FinishedSteps as FinishedSteps
from .run import Growing as Growing
from .run import Run as Run
from .run import Snapshot as Snapshot
from .workbench import Workbench as Workbench
