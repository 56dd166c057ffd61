"""Operations of version 5: one file each, named as in the official SDK."""
