"""The same small work on four engines: ours, stock Faust, Quix Streams, and Kafka Streams in Java."""
