"""Which snapshot may be champion."""
