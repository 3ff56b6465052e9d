"""What Mercado Libre tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    """
    catalog_item_competition_status catalog_suggestions fbm_stock_operations invoices item_competition items
    items_prices leads-credits messages orders_feedback payments pictures price_suggestion public_candidates
    public_offers quotations shipments stock-locations user-products-families vis_leads
    """.split()
)
