"""All cases by all methods: resumable, in parallel, written up as tables."""
