"""Static files under hashed names, so that browsers may keep them for ever."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Also follows the imports between our JavaScript modules, which need the hashed names too."""

    support_js_module_import_aggregation = True
