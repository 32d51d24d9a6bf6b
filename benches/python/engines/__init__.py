"""The measured engines. All modules have the same functions, so that a run can load only one.

document(workload)     returns the document of the engine, as it would arrive over the network
load(document)         returns an engine that is ready to evaluate
subject(tenant)        returns the engine's representation of a tenant, built before the timing
one(engine)            returns a function of (key, subject)
walk(engine, pairs)    returns a function that evaluates each (key, subject) as fast as possible
every(engine, keys)    returns a function of (subject) that returns the answers of all flags
resolve(engine)        returns a function of (subject) that returns an object with is_enabled(key)
close(engine)          ends what `load` started, if anything
"""
