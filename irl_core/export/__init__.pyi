from .distilled_head import LinearHead as LinearHead
from .distilled_head import fit_head as fit_head
from .merged import merged_checkpoint as merged_checkpoint
from .plain_checkpoints import save_plain as save_plain
from .plain_checkpoints import token_classifier as token_classifier
