"""A real Kafka: moved to where measurements reach it too."""

from load_tests.services.kafka import POM, PROPERTIES, Kafka, jars, java, start

__all__ = ["POM", "PROPERTIES", "Kafka", "jars", "java", "start"]
