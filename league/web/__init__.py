"""The web app: `arena serve`.

Pages are rendered on the server, which alone knows the rules. Nothing is fetched from elsewhere and
nothing has to be built: a few small scripts of our own make the boards clickable. FastAPI rather
than a UI library such as NiceGUI, as that one keeps a socket and the state of every visitor on the
server, and needs inline scripts; here a position is an address, so that reload, back and links
work, and the content security policy allows no inline script.

app.py        puts it together; a page is one file of pages/, found by itself
site.py       what all pages share
security.py   checks of every request, headers of every answer
work.py       bounded work: one thread computes, a piece for each visitor in turn
events.py     server-sent events with ids, so that a reload misses nothing

Modules that need JAX are imported by the thread that computes, never by the pages: the first page
is there long before JAX is.
"""
