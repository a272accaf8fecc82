"""FHS environments: packages composed into a whole /usr that users enter without root."""
