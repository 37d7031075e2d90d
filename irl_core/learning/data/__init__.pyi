from .demonstrations import Demonstration as Demonstration
from .demonstrations import Mixture as Mixture
from .demonstrations import load_gsm8k as load_gsm8k
from .demonstrations import load_mixture as load_mixture
from .edited_solutions import EditedSolution as EditedSolution
from .edited_solutions import edited_solutions as edited_solutions
from .word_problems import generate as generate
