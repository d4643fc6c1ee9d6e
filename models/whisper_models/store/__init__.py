"""One layout for all models, read by runtimes and filled by Jobs; see `layout` for the tree."""

from whisper_models.store.inspection import Inspection, require_sound
from whisper_models.store.manager import UnifiedModelManager

__all__ = ["Inspection", "UnifiedModelManager", "require_sound"]
