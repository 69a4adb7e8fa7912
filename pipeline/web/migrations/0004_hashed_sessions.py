"""Sessions are kept under the digest of their key; those that were kept under the key itself end."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def end_all(apps: Any, _editor: Any) -> None:
    apps.get_model("web", "WebSession").objects.all().delete()


class Migration(migrations.Migration):
    """After the address of a link."""

    dependencies = (("web", "0003_link_email"),)
    operations = (
        migrations.RunPython(end_all, migrations.RunPython.noop),
        migrations.AlterField(
            "websession", "session_key", models.CharField(max_length=64, primary_key=True, serialize=False)
        ),
    )
