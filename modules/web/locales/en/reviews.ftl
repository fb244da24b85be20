# Reviews of products.
reviews = Reviews
reviews-of = Reviews of { $title }
reviews-read = { $count ->
    [one] Read the review
   *[other] Read { $count } reviews
}
reviews-none = Nobody has reviewed this yet. Be the first.
reviews-write = Write a review
reviews-newest = Newest
reviews-helpful = Most helpful
reviews-highest = Highest
reviews-lowest = Lowest
reviews-with-stars = { $stars ->
    [one] { $count } with 1 star
   *[other] { $count } with { $stars } stars
}
reviews-at-least = { $stars ->
    [5] 5 stars
   *[other] { $stars } stars and up
}
reviews-show-all = show all
reviews-more = More reviews
reviews-verified = Verified purchase
reviews-nobody = A former customer
reviews-picture = Picture { $number } of the customer
reviews-reply-of = Answer from { $shop }
reviews-find-helpful = Helpful
reviews-report = Report
reviews-new-one = A new review has just come in.
reviews-voted = Thank you for your vote.
reviews-vote-taken-back = Your vote has been taken back.

# Writing one.
reviews-your = Your review of { $title }
reviews-your-short = Your review
reviews-stars = How do you like it?
reviews-stars-given = { $stars ->
    [one] 1 star
   *[other] { $stars } stars
}
reviews-choose-stars = Choose one to five stars.
reviews-title = In a few words
reviews-body = What should others know?
reviews-body-hint = How does it feel, how do you use it, what would you change?
reviews-send = Send the review
reviews-pending-hint = We read every review before it appears. Your first name and initial are shown.
reviews-thanks = Thank you. Your review is there for everybody.
reviews-thanks-pending = Thank you. Your review appears as soon as we have read it.
reviews-delete = Delete my review
reviews-deleted = Your review has been deleted.
reviews-is-pending = Waiting
reviews-is-approved = Published
reviews-is-rejected = Not published

# Reporting one.
reviews-report-title = Report a review
reviews-report-reason = What is wrong with it?
reviews-report-send = Send the report
reviews-reported = Thank you. We will look at it.

error-own-review = This review is your own.
error-review-exists = You have reviewed this product already.
