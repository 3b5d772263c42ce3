output "record_folder" {
  description = "What `record: {folder: …}` in compliance.yaml says."
  value       = "s3://${aws_s3_bucket.evidence.id}/decisions"
}

output "bucket_arn" {
  description = "For the policy of the role that the gate runs as."
  value       = aws_s3_bucket.evidence.arn
}

output "kms_key_arn" {
  description = "For the same policy: kms:GenerateDataKey to write, kms:Decrypt to read."
  value       = aws_kms_key.evidence.arn
}
