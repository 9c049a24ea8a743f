"""HTTP: commands over POST, the pages, health. Sign-in and other routes belong to their features."""
