"""A link may confirm a mail address."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """After the rule that nothing changes the log."""

    dependencies = (("web", "0002_append_only"),)
    operations = (migrations.AddField("link", "email", models.CharField(max_length=254, blank=True, default="")),)
