variable "bucket" {
  description = "Name of the bucket that keeps the evidence."
  type        = string
}

variable "access_log_bucket" {
  description = "Name of the bucket that takes the log of who read and wrote; it exists already, and lets logging.s3.amazonaws.com write."
  type        = string
}

variable "retention_days" {
  description = "How long nobody, not even the account's root, can delete or change a record. It can be lengthened, never shortened."
  type        = number

  validation {
    condition     = var.retention_days >= 1 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is a whole number of days, and at least 1."
  }
}
