"""The transport under Faust: one partition batch in, one Kafka transaction out."""
