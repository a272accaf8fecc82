"""FHS environments: packages composed into a whole /usr that is entered without root."""
