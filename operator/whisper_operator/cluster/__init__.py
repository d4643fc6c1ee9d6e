"""All input and output with the cluster: what is there is gathered, planning is asked, the plan is carried out."""
