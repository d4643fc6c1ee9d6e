"""One layout for all models, read by runtimes and filled by Jobs; see `layout` for the tree."""

from whisper_models.store.manager import UnifiedModelManager

__all__ = ["UnifiedModelManager"]
