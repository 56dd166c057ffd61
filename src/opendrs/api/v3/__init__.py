"""Operations of version 3: one file each, named as in the official SDK."""
