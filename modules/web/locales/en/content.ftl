# Pages that staff write, and the journal.
journal = Journal
journal-lead = Notes on materials, rooms and the people who make things.
journal-more = More from the journal
journal-older = Older posts
journal-empty = Nothing here yet. Come back soon.
