"""How long records are kept, and how they go: judged record by record, purged case by case, with a proof."""
