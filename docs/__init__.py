"""What writes the generated pages, and lays all of them out for the site."""
