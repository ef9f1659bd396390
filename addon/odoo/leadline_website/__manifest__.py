{
    "name": "Leadline on the Website",
    "summary": "The WhatsApp button on the pages of a website",
    "version": "19.0.0.1.0",
    "category": "Website/Website",
    "author": "Leadline",
    "license": "LGPL-3",
    "depends": ["leadline", "website"],
    "data": [
        "views/res_config_settings_views.xml",
        "views/website_templates.xml",
    ],
    "auto_install": True,
}
