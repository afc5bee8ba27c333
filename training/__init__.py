"""Training of the judge: mails written for it, and the program that makes `model.json` of them."""
