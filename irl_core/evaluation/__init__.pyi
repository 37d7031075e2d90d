from .bootstrap import Figure as Figure
from .bootstrap import ProblemBootstrap as ProblemBootstrap
from .report import build_report as build_report
from .scoring import ScoredTrace as ScoredTrace
from .scoring import score_traces as score_traces
from .trace_files import LabelledTrace as LabelledTrace
from .trace_files import read_traces as read_traces
from .trace_table import ScoredTraces as ScoredTraces
