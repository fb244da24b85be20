# Seiten, die der Laden selbst schreibt, und das Journal.
journal = Journal
journal-lead = Notizen über Materialien, Räume und die Menschen, die Dinge machen.
journal-more = Mehr aus dem Journal
journal-older = Ältere Beiträge
journal-empty = Hier steht noch nichts. Schauen Sie bald wieder vorbei.
