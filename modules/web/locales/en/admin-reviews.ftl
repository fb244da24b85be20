# The moderation of reviews.
admin-reviews = Reviews
reviews-view-pending = Waiting
reviews-view-reported = Reported
reviews-view-approved = Published
reviews-view-rejected = Rejected
reviews-queue-empty = Nothing to look at here.
reviews-keys = J and K walk, A approves, R rejects.
reviews-reports = { $count ->
    [one] { $count } report
   *[other] { $count } reports
}
reviews-approve = Approve
reviews-keep = Keep
reviews-reject = Reject
reviews-reason = Reason
reviews-reason-label = Reason (the author reads it)
reviews-reason-off-topic = It is not about the product.
reviews-reason-abuse = It offends somebody.
reviews-reason-advertising = It is advertising.
reviews-reason-personal = It tells too much of a person.
reviews-reply = Answer
reviews-reply-label = Public answer (empty takes it back)
reviews-approved = The review is public.
reviews-rejected = The review is not public.
reviews-reopened = The review waits again.
reviews-replied = The answer is public.
reviews-reply-removed = The answer has been taken back.
reviews-hold-links = Leads elsewhere
reviews-hold-shouting = Mostly capitals
reviews-hold-rate = Many in one day
