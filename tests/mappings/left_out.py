"""What senders say and no CRM is told, on purpose: paths of their payloads, each with the reason.

A path is a regular expression over the whole path of a leaf, list places as numbers. What is in no list and
changes nothing when it changes was forgotten: test_no_leaf_is_lost.py finds it.
"""

from __future__ import annotations

#: The fixtures whose every leaf is accounted for, by source.
WHOLE = {
    "shopify/orders__updated__present_for_an_aunt.json": "shopify order",
    "shopify/draft_orders__update__engraved_for_a_company.json": "shopify draft",
    "woocommerce/order.updated__payment_failed_gift_card.json": "woocommerce",
    "woocommerce/customer.created__never_changed.json": "woocommerce",
    "stripe/invoice.paid__subscription_of_a_team.json": "stripe",
    "stripe/checkout.session.completed__questions_and_kroner.json": "stripe",
    "typeform/form_response__computed.json": "typeform",
    "calendly/invitee.created__paid_call_with_guests.json": "calendly",
}
LEFT_OUT = {
    "shopify order": {
        r"order_number|contact_email": "said again by name and email",
        r".*\.(id|variant_id|product_id|line_item_id)": "the shop's own numbers, where the SKU tells the product",
        r"discount_codes\.\d+\.(amount|type)": "the lines have taken the discount off",
        r"discount_applications\.\d+\.(type|code|value|value_type|target_type)": "the same",
        r".*\.discount_application_index": "the same",
        r"(billing|shipping)_address\.(first_name|last_name|country)": "said again by name and country_code",
        r"customer\.default_address\..*": "the billing address goes before it",
        r"customer\.email_marketing_consent\.opt_in_level": "how consent was asked for",
        r"fulfillments\.\d+\.(status|tracking_number|tracking_url)": "said again by the lists",
        r"line_items\.\d+\.(title|variant_title|gift_card)": "said again by the line's name",
        r"line_items\.0\.properties\.1\.(name|value)": "begins with _: an app's own",
        r"line_items\.1\.properties\.1": "no detail, but a stray text",
        r".*tax_lines\.\d+\.(title|rate)": "the amount of the tax counts",
        r"refunds\.\d+\.refund_line_items\..*": "said again by current_quantity",
        r"shipping_lines\.1\.title": "was taken off",
    },
    "shopify draft": {
        r"total_tax|subtotal_price|created_at|status": "part of the total; updated_at says when",
        r"applied_discount\.(description|value|amount|value_type)": "the cart's total has it",
        r"shipping_line\.(price|custom)|line_items\.\d+\.applied_discount\..*": "the same",
        r"line_items\.\d+\.(id|variant_id|product_id|title|variant_title|sku)": "the line's name says it",
        r"shipping_address\.(first_name|last_name|country)": "said again by name and country_code",
        r"customer\.(id|email)": "the draft's own address goes before it",
    },
    "woocommerce": {
        r"prices_include_tax|date_created": "amounts come without tax; date_created_gmt says when",
        r"discount_total|discount_tax|shipping_tax|cart_tax": "parts of other amounts",
        r"payment_method": "its title says it",
        r"gift_cards\.\d+\.(id|code)": "a code is worth money",
        r".*\.id": "the shop's own numbers",
        r"meta_data\.4\.value": "is_vat_exempt, which WooCommerce writes into every order",
        r"meta_data\.5\..*": "neither text nor a figure",
        r"line_items\.\d+\.(product_id|variation_id)": "the SKU says it",
        r"line_items\.0\.meta_data\.[01]\.value": "said again by display_value",
        r"line_items\.0\.meta_data\.2\..*": "begins with _: WooCommerce's own",
    },
    "stripe": {
        r"id|object|api_version|created|livemode": "of the event, not of the sale",
        r"data\.object\.(object|subtotal|status|attempt_count|mode|amount_subtotal)": "said by others",
        r"data\.object\.parent\.type|data\.object\.lines\.data\.0\.(id|pricing\.price_details\.price)": "the same",
        r".*tax_behavior": "exclusive is what is taken for granted",
        r"data\.object\.shipping_cost\.amount_subtotal": "part of its total",
        r"data\.object\.collected_information\.business_name": "customer_details has it",
        r"data\.object\.custom_fields\.\d+\.(key|label\.type)": "the label says it",
        r"data\.object\.custom_fields\.0\.dropdown\.options\.1\..*": "was not chosen",
        r"data\.object\.custom_fields\.2\..*": "was not answered",
    },
    "typeform": {
        r"event_id|form_response\.landed_at": "Typeform's own; submitted_at says when",
        r"form_response\.variables\.\d+\.type": "the value says it",
        r"form_response\.definition\.id": "said again by form_id",
        r"form_response\.definition\.fields\.\d+\..*": "an e-mail question is known by its type",
        r"form_response\.answers\.\d+\.field\..*": "the same",
        r"form_response\.answers\.\d+\.choices\.(ids|refs)\.\d+": "the labels say it",
    },
    "calendly": {
        r"created_at|created_by": "Calendly's own",
        r"payload\.(status|updated_at)": "said again by the event's type and time",
        r"payload\.payment\.terms": "the host's own text",
        r"payload\.scheduled_event\.uri": "an address of the API",
        r"payload\.scheduled_event\.event_memberships\.0\.user_email": "the host's name says it",
    },
}
