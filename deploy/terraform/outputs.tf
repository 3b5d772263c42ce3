output "record_folder" {
  description = "What `record: {folder: …}` in compliance.yaml says."
  value       = "s3://${aws_s3_bucket.evidence.id}/decisions"
}

output "bucket_arn" {
  description = "For the policy of the role that the gate runs as."
  value       = aws_s3_bucket.evidence.arn
}

output "kms_key_arn" {
  description = "For the same policy: kms:GenerateDataKey and kms:Decrypt, both of them also to write, since a record is uploaded in parts."
  value       = aws_kms_key.evidence.arn
}
