"""What Tiendanube tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    """
    app/resumed app/suspended app/uninstalled category/created category/deleted category/updated
    customer/created customer/deleted customer/updated customers/data_request customers/redact domain/updated
    order/fulfilled order/packed order/unpacked
    product/created product/deleted product/updated store/redact theme/updated
    """.split()
)
