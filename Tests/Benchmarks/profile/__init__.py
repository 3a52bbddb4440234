"""Where the instructions of a request go, by stage. See PROFILES.md, beside this folder."""
