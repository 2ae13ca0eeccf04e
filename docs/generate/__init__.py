"""What the site shows that is made from the code and the figures when it is built."""
