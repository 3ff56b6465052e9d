"""What BigCommerce tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    """
    store/app/uninstalled store/order/archived store/order/message/created store/order/transaction/created
    store/order/transaction/updated store/cart/abandoned store/cart/converted store/cart/couponApplied
    store/cart/created store/cart/deleted store/cart/updated store/customer/created store/customer/deleted
    store/customer/updated store/information/updated store/product/created store/product/deleted
    store/product/inventory/updated store/product/updated store/shipment/created store/shipment/deleted
    store/shipment/updated store/subscriber/created store/subscriber/deleted store/subscriber/updated
    """.split()
)
